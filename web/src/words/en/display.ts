/** What a person may choose of the looks of the page. */

export const display = {
  title: "Display",
  sun: "Light theme for sunlight",
  large: "Larger words and figures",
  language: "Language",
  asBrowser: "As the browser",
};
