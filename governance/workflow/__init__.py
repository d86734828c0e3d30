"""流转: carries cases through their process; says who does a task, until when and why."""
