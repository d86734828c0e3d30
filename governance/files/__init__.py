"""附件、签名: what people upload while they fill in a form. The form's value names content and name, and so does the log."""
