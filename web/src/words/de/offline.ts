import type { Catalogue } from "../catalogue";

export const offline: Catalogue["offline"] = {
  title: "Keine Verbindung",
  text: "Diese Seite kommt von Ihrem Server, und der ist nicht erreichbar. Ist dieses Gerät online und der Server eingeschaltet? Die Seite versucht es von selbst wieder.",
  tryAgain: "Noch einmal versuchen",
  description: "Ein Auto nach dem Bild seiner Kamera fahren, von überall",
};
