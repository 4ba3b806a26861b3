"""``pyas meetings week``: a week of meetings as a calendar, with days as columns and hours as rows."""
