/**
 * What every language must say. English is the pattern: its keys, and the parameters of its
 * sentences. What another language lacks, or has too much, does not compile.
 */

import type { en } from "./en";

export type Catalogue = typeof en;
