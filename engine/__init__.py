"""A durable BPMN engine over SpiffWorkflow."""
