"""表单: JSON Schema 2020-12 with our `x-ui`, checked in Chinese."""
