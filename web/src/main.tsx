import { render } from "preact";
import { App } from "./app/app";
import { expose } from "./app/diagnostics";
import { watchOffline } from "./app/offline";
import { dress } from "./app/preferences";
import { enableGrease } from "./protocol/grease";
import "./style/all.css";
import { Root } from "./view/root";

// Set by tests before the page starts.
if ((globalThis as { rccarGrease?: boolean }).rccarGrease === true) enableGrease();

dress();
const app = new App();
expose(app);
app.start();
watchOffline();

const place = document.getElementById("app");
if (place) render(<Root app={app} />, place);
