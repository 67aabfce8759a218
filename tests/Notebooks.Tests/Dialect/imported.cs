var fromCode = "imported";
