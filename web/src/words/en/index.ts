import { connection } from "./connection";
import { display } from "./display";
import { drive } from "./drive";
import { figures } from "./figures";

export const en = { connection, display, drive, figures };
