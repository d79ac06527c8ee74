import { cockpit, help } from "./cockpit";
import { connection } from "./connection";
import { devices, setup } from "./devices";
import { display } from "./display";
import { drive } from "./drive";
import { figures } from "./figures";
import { offline } from "./offline";
import { people, sharing } from "./people";
import { account, cars, pages, releases, signIn } from "./pages";

import { status } from "./status";

export const en = {
  account,
  cars,
  cockpit,
  connection,
  devices,
  display,
  drive,
  figures,
  help,
  offline,
  pages,
  people,
  releases,
  setup,
  sharing,
  signIn,
  status,
};
