"""受理入口: from a report to a case under way."""
