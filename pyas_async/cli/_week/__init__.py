"""``pyas meetings week``: a week of meetings as a calendar, days as columns and hours as rows."""
