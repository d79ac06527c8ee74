/** What an installed page says while nothing answers, and what systems show of it. */

export const offline = {
  title: "No connection",
  text: "This page comes from your server, which cannot be reached. Is this device online, and the server switched on? The page tries again by itself.",
  tryAgain: "Try again",
  /** Below the icon of the installed page, and where systems list it. */
  description: "Drive a car by its camera, from anywhere",
};
