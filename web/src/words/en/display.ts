/** What a person may choose of the looks of the page. */

export const display = {
  title: "Display, sound and language",
  sun: "Light theme for sunlight",
  large: "Larger words and figures",
  sounds: "Sounds when the link is lost, the car stops or the battery is low",
  vibration: "Vibration for the same",
  language: "Language",
  asBrowser: "As the browser",
};
