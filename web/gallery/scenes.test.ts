import { expect, it } from "vitest";
import { ROWS } from "../src/core/app/banner";
import { situationOf } from "../src/core/app/display";
import { scenes } from "./scenes";

it("has a scene for each row of the table of states, which is the row that it shows", () => {
  for (const { name } of ROWS) {
    const scene = scenes.find((one) => one.name === name);
    expect(scene, name).toBeDefined();
    if (!scene) continue;
    const situation = situationOf(scene.facts);
    expect(ROWS.find(({ when }) => when(situation))?.name).toBe(name);
  }
});

/** More than one ending is worth a look. */
const ENDINGS = ["not secured"];

it("has no other scene with a banner", () => {
  const shown = new Set([...ROWS.map(({ name }) => name), ...ENDINGS]);
  const others = scenes.filter(({ name }) => !shown.has(name));
  expect(others.map(({ name }) => name)).toEqual(["disarmed", "armed", "slowed", "braking"]);
  for (const name of ENDINGS)
    expect(scenes.find((one) => one.name === name)?.facts.phase.name).toBe("ended");
  for (const { name, facts } of others) {
    const situation = situationOf(facts);
    expect(ROWS.find(({ when }) => when(situation))?.name, name).toBeUndefined();
  }
});
