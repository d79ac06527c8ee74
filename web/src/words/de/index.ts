import type { Catalogue } from "../catalogue";
import { connection } from "./connection";
import { display } from "./display";
import { drive } from "./drive";
import { figures } from "./figures";

export const de: Catalogue = { connection, display, drive, figures };
