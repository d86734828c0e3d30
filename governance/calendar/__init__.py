"""Working days and working time (工作日历): which days people work, and what a limit in working time means."""
