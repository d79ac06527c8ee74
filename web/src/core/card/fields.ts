/**
 * The questions of the form that makes a card's file: what each key of `provision.toml` is called
 * for a person, and what the car takes for it.
 */

import * as rules from "./rules";

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Field {
  /** `table.key`. */
  readonly key: string;
  readonly label: string;
  readonly hint?: string;
  readonly kind: "text" | "secret" | "choice" | "number";
  /** Of a choice; the first one is left out of the file. */
  readonly choices?: readonly Choice[];
  readonly placeholder?: string;
  readonly check?: rules.Check;
  /** Shown, and written, only if this key has one of these values. */
  readonly when?: readonly [key: string, ...values: readonly string[]];
  /** Written without quotation marks. */
  readonly bare?: true;
}

export interface Group {
  readonly name: string;
  readonly title: string;
  readonly hint: string;
  readonly fields: readonly Field[];
}

const ANY = "*";
const given = (key: string) => [key, ANY] as const;

function text(key: string, label: string, check: rules.Check, more: Partial<Field> = {}): Field {
  return { key, label, kind: "text", check, ...more };
}

function number(
  key: string,
  label: string,
  [least, most, step, unit]: readonly [number, number, number, string],
  more: Partial<Field> = {},
): Field {
  const check = rules.whole(least, most, step, unit);
  return { key, label, kind: "number", check, bare: true, ...more };
}

function volts(key: string, label: string, placeholder: string): Field {
  const check = rules.fraction(2, 4.1, "volts for a cell");
  return {
    key,
    label,
    kind: "number",
    check,
    bare: true,
    placeholder,
    when: given("battery.cells"),
  };
}

function choice(
  key: string,
  label: string,
  choices: readonly (readonly [value: string, label: string])[],
  more: Partial<Field> = {},
): Field {
  const named = choices.map(([value, words]) => ({ value, label: words }));
  return { key, label, kind: "choice", choices: named, ...more };
}

function yes(key: string, label: string, no: string, is: string, more: Partial<Field> = {}): Field {
  return choice(
    key,
    label,
    [
      ["", no],
      ["true", is],
    ],
    { bare: true, ...more },
  );
}

const PULSE = [800, 2200, 1, "µs"] as const;
const CAMERA = ["camera.source", ""] as const;

export const MODEM: Group = {
  name: "modem",
  title: "Mobile network",
  hint: "For a SIM card. Many operators need nothing here.",
  fields: [
    text("modem.apn", "Access point (APN)", rules.apn, { placeholder: "asks the network" }),
    text("modem.user", "User name of the access point", rules.shortText, {
      hint: "Few operators want one.",
    }),
    text("modem.password", "Password of the access point", rules.shortText, {
      when: given("modem.user"),
    }),
    choice(
      "modem.auth",
      "How user and password are sent",
      [
        ["", "As the modem does"],
        ["pap", "PAP"],
        ["chap", "CHAP"],
      ],
      { when: given("modem.user") },
    ),
    choice("modem.ip_type", "Addresses", [
      ["", "What the network gives"],
      ["ipv4", "IPv4 only"],
      ["ipv6", "IPv6 only"],
    ]),
    choice(
      "modem.roaming",
      "Networks of other operators",
      [
        ["", "Used"],
        ["false", "Not used"],
      ],
      { bare: true },
    ),
    text("modem.initial_apn", "Access point for entering the network", rules.apn, {
      hint: "Only if the operator says so.",
    }),
    text("modem.pin", "PIN of the SIM card", rules.pin, {
      kind: "secret",
      hint: "A wrong PIN is tried once only.",
    }),
    yes("modem.gps", "Where the car is", "Not shown", "Shown to the driver, if the modem knows"),
  ],
};

export const GROUPS: readonly Group[] = [
  MODEM,
  {
    name: "camera",
    title: "Camera",
    hint: "A camera on USB needs nothing here.",
    fields: [
      choice("camera.source", "What gives the picture", [
        ["", "A camera"],
        ["simulator", "A drawn road, without a camera"],
      ]),
      choice(
        "camera.sensor",
        "Camera on the ribbon cable",
        [
          ["", "None, or it is on USB"],
          ["ov5647", "Camera Module 1 (ov5647)"],
          ["imx219", "Camera Module 2 (imx219)"],
          ["imx296", "Global Shutter Camera (imx296)"],
          ["imx290", "imx290"],
          ["ov9281", "ov9281"],
        ],
        { when: CAMERA, hint: "On a Pi 5 only, so far. It counts from the second start on." },
      ),
      text("camera.device", "Which camera, of several", rules.device, {
        when: CAMERA,
        placeholder: "first",
      }),
      choice(
        "camera.rotation",
        "How it is mounted",
        [
          ["", "Upright"],
          ["180", "Upside down"],
        ],
        { when: CAMERA, bare: true },
      ),
      number("camera.width", "Width of the picture", [64, 1920, 2, "pixels"], {
        placeholder: "1280",
        hint: "A larger picture needs a better link.",
      }),
      number("camera.height", "Height of the picture", [48, 1088, 2, "pixels"], {
        placeholder: "720",
      }),
      number("camera.fps", "Pictures in a second", [1, 60, 1, "pictures"], { placeholder: "30" }),
      number("camera.bitrate_kbps", "Most of the link, in kbit/s", [50, 14_000, 1, "kbit/s"], {
        placeholder: "2000",
      }),
      choice("camera.encoder", "What makes the video", [
        ["", "What works best"],
        ["openh264", "The computer's software"],
        ["v4l2", "The computer's hardware"],
      ]),
    ],
  },
  {
    name: "drive",
    title: "Servo and motor",
    hint: "Until you choose what moves the car, it drives in a simulation only.",
    fields: [
      choice(
        "drive.actuator",
        "What moves the car",
        [
          ["", "Nothing yet: a simulation"],
          ["pca9685", "A PCA9685 board on pins 3 and 5"],
          ["pwm", "The computer itself, pins 32 and 33 (up to a Pi 4)"],
        ],
        { hint: "Wheels off the ground for the first try." },
      ),
      choice(
        "drive.esc",
        "The speed controller, when it gets reverse",
        [
          ["", "Drives backward at once"],
          ["brake-first", "Brakes first"],
        ],
        { when: given("drive.actuator"), hint: "If in doubt, keep the first." },
      ),
      number("drive.max_forward", "Top speed forward", [0, 100, 1, "per cent"], {
        placeholder: "50",
        when: given("drive.actuator"),
      }),
      number("drive.max_reverse", "Top speed backward", [0, 100, 1, "per cent"], {
        placeholder: "30",
        when: given("drive.actuator"),
      }),
      text("drive.enable_line", "Line wired to OE of the board", rules.line, {
        placeholder: "GPIO17",
        when: ["drive.actuator", "pca9685"],
      }),
      text("drive.heartbeat_line", "Line that toggles while all is well", rules.line, {
        placeholder: "GPIO22",
        when: given("drive.actuator"),
        hint: "For a circuit of your own that cuts the motor when it stops.",
      }),
      ...(
        [
          ["steering_left_us", "Pulse for left", "1000"],
          ["steering_neutral_us", "Pulse for straight", "1500"],
          ["steering_right_us", "Pulse for right", "2000"],
          ["motor_reverse_us", "Pulse for full reverse", "1000"],
          ["motor_neutral_us", "Pulse for standing still", "1500"],
          ["motor_forward_us", "Pulse for full speed", "2000"],
        ] as const
      ).map(([key, label, placeholder]) =>
        number(`drive.${key}`, `${label}, in µs`, PULSE, {
          placeholder,
          when: given("drive.actuator"),
        }),
      ),
    ],
  },
  {
    name: "sensors",
    title: "Battery and speed",
    hint: "What measures. Without it the car drives as well, and warns of nothing.",
    fields: [
      choice("sensors.power_monitor", "Chip that measures the battery", [
        ["", "None"],
        ["ina219", "INA219, at address 0x41"],
        ["ina226", "INA226, at address 0x41"],
        ["ina260", "INA260, at address 0x41"],
      ]),
      number("sensors.shunt_micro_ohm", "Its resistor, in µΩ", [100, 1_000_000, 1, "µΩ"], {
        placeholder: "2000",
        hint: "R100 is 100000, R002 is 2000.",
        when: ["sensors.power_monitor", "ina219", "ina226"],
      }),
      number("battery.cells", "Cells of the battery, in series", [1, 8, 1, "cells"], {
        placeholder: "2",
        hint: "The car then warns, slows down and stops before a cell is damaged.",
      }),
      volts("battery.warn", "Warns below, in volts of a cell", "3.6"),
      volts("battery.limit", "Slows down below", "3.5"),
      volts("battery.stop", "Stops below", "3.3"),
      number("battery.limited_speed", "Speed when slowed down", [10, 100, 1, "per cent"], {
        placeholder: "50",
        when: given("battery.cells"),
      }),
      choice(
        "battery.action",
        "The most it does",
        [
          ["", "Stops"],
          ["limit", "Slows down"],
          ["warn", "Warns"],
        ],
        { when: given("battery.cells") },
      ),
      text("speed.line", "Line of a sensor at a wheel", rules.line, { placeholder: "GPIO27" }),
      number("speed.pulses_per_turn", "Its pulses in one turn", [1, 600, 1, "pulses"], {
        placeholder: "1",
        when: given("speed.line"),
      }),
      number("speed.circumference_mm", "Way of one turn, in mm", [20, 3000, 1, "mm"], {
        placeholder: "204",
        when: given("speed.line"),
      }),
    ],
  },
  {
    name: "switches",
    title: "Lights and horn",
    hint: "Lines that a transistor or a relay is wired to.",
    fields: [
      text("switches.lights_line", "Line of the lights", rules.line, { placeholder: "GPIO23" }),
      yes("switches.lights_active_low", "The lights are on when it is", "High", "Low", {
        when: given("switches.lights_line"),
      }),
      text("switches.horn_line", "Line of the horn", rules.line, { placeholder: "GPIO24" }),
      yes("switches.horn_active_low", "The horn sounds when it is", "High", "Low", {
        when: given("switches.horn_line"),
      }),
    ],
  },
  {
    name: "update",
    title: "Updates",
    hint: "",
    fields: [
      choice(
        "update.automatic",
        "New releases",
        [
          ["", "Are installed while the car is parked"],
          ["false", "Wait until somebody starts them"],
        ],
        { bare: true },
      ),
      text("update.channel", "Channel", rules.channel, { placeholder: "stable" }),
      number("update.metered_mb", "Most of a mobile network in a month", [0, 100_000, 1, "MB"], {
        placeholder: "50",
        hint: "0: updates wait for Wi-Fi or a cable.",
      }),
    ],
  },
];

/** Whether `when` holds: the key has one of the values, or any but none with `*`. */
export function applies(field: Field, values: Readonly<Record<string, string>>): boolean {
  if (!field.when) return true;
  const [key, ...wanted] = field.when;
  const value = values[key] ?? "";
  const other = GROUPS.flatMap((group) => group.fields).find((known) => known.key === key);
  if (other && !applies(other, values)) return false;
  return wanted[0] === ANY ? value !== "" : wanted.includes(value);
}
