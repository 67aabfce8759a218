var broken = 1;

int text = "one";
