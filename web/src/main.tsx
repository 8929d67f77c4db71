import { render } from "preact";
import { followLinks } from "./address";
import { App } from "./app";
import { followAddress } from "./time/moment";

followLinks();
followAddress();
render(<App />, document.getElementById("app")!);
