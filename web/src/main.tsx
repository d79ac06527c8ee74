import { render } from "preact";
import { App } from "./app/app";
import { expose } from "./app/diagnostics";
import { enableGrease } from "./protocol/grease";
import "./style/base.css";
import "./style/pages.css";
import "./style/releases.css";
import "./style/cockpit.css";
import "./style/plot.css";
import "./style/setup.css";
import "./style/cockpit-sizes.css";
import { Root } from "./view/root";

// Set by tests before the page starts.
if ((globalThis as { rccarGrease?: boolean }).rccarGrease === true) enableGrease();

const app = new App();
expose(app);
app.start();

const place = document.getElementById("app");
if (place) render(<Root app={app} />, place);
