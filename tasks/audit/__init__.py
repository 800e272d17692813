"""Who judges the judges: graders and test sets, held against samples whose truth is known."""
