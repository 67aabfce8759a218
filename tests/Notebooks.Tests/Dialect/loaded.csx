var fromLoaded = "loaded";
