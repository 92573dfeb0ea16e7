// The button is pressed for the clerk; without this script the clerk does it.
document.getElementById("intra").requestSubmit();
