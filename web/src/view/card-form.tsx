/** The form that makes the file for a car's card. */

import { useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { CARRIERS } from "../core/card/carriers";
import {
  issues,
  MAX_NETWORKS,
  NO_NETWORK,
  preview,
  type Card,
  type Network,
} from "../core/card/card";
import { COUNTRIES } from "../core/card/countries";
import { applies, GROUPS, type Field, type Group } from "../core/card/fields";
import { address as checkAddress } from "../core/card/rules";

interface Props {
  readonly card: Signal<Card>;
  /** Where the car finds the host; empty: the host decides. */
  readonly address: Signal<string>;
  readonly addresses: readonly string[];
  /** Resolves to a message for the person, `null` if it worked. */
  readonly make: () => Promise<string | null>;
}

const OTHER = "other";

export function CardForm({ card, address, addresses, make }: Props) {
  const busy = useSignal(false);
  const trouble = useSignal<string | null>(null);
  /** Fields that a person has left, or all: what is wrong with them is said. */
  const left = useSignal<ReadonlySet<string> | "all">(new Set());
  const form = useRef<HTMLFormElement>(null);
  const wrong = new Map(issues(card.value));
  const badAddress = address.value === "" ? null : checkAddress(address.value);
  if (badAddress !== null) wrong.set("host.url", badAddress);
  const said = (key: string) =>
    left.value === "all" || left.value.has(key) ? (wrong.get(key) ?? null) : null;
  const leave = (key: string) => {
    if (left.value !== "all") left.value = new Set([...left.value, key]);
  };
  const change = (part: Partial<Card>) => (card.value = { ...card.value, ...part });
  const send = async () => {
    left.value = "all";
    trouble.value = null;
    const [first] = wrong.keys();
    if (first !== undefined) {
      trouble.value = "Something in the form cannot stay as it is. See the marked field.";
      reveal(form.current, first);
      return;
    }
    busy.value = true;
    trouble.value = await make();
    busy.value = false;
  };
  const shared: Shared = { card, change, said, leave };
  return (
    <form
      ref={form}
      class="form card-form"
      data-testid="card-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void send();
      }}
    >
      <Input
        name="car.name"
        label="Name of the car"
        testid="enrol-name"
        value={card.value.name}
        placeholder="Blitz"
        error={said("car.name")}
        leave={leave}
        set={(name) => change({ name })}
      />
      <Address address={address} addresses={addresses} error={said("host.url")} leave={leave} />
      <WiFi {...shared} />
      {GROUPS.map((group) => (
        <Fields key={group.name} group={group} {...shared} />
      ))}
      <details class="card-preview">
        <summary>The file so far</summary>
        <pre tabIndex={0} role="group" aria-label="The file so far" class="config">
          <code data-testid="card-preview">
            {preview(card.value, address.value === "" ? location.origin : address.value)}
          </code>
        </pre>
      </details>
      <p class="trouble" role="alert" data-testid="banner" hidden={trouble.value === null}>
        {trouble}
      </p>
      <button
        type="submit"
        class="button primary wide"
        data-testid="enrol-submit"
        disabled={busy.value}
      >
        {busy.value ? <span class="spinner small" /> : "Make its file"}
      </button>
    </form>
  );
}

interface Shared {
  readonly card: Signal<Card>;
  readonly change: (part: Partial<Card>) => void;
  readonly said: (key: string) => string | null;
  readonly leave: (key: string) => void;
}

/** Opens the part of the form that the field is in, and goes there. */
function reveal(form: HTMLFormElement | null, name: string): void {
  const field = form?.elements.namedItem(name);
  if (!(field instanceof HTMLElement)) return;
  const part = field.closest("details");
  if (part) part.open = true;
  field.focus();
}

interface AddressProps {
  readonly address: Signal<string>;
  readonly addresses: readonly string[];
  readonly error: string | null;
  readonly leave: (key: string) => void;
}

/** Where the car finds the host. Nobody is asked if the host knows exactly one answer. */
function Address({ address, addresses, error, leave }: AddressProps) {
  const typed = useSignal(false);
  useEffect(() => {
    if (address.value === "") address.value = addresses[0] ?? "";
  }, [addresses]);
  if (addresses.length === 0) return null;
  const pick = (value: string) => {
    typed.value = value === OTHER;
    address.value = typed.value ? "" : value;
  };
  const choices = addresses.map((known) => ({ value: known, label: known }));
  return (
    <>
      <Select
        name="host.address"
        label="Where the car finds this host"
        hint="The car has to reach this address from the network that it drives in."
        value={typed.value ? OTHER : address.value}
        choices={[...choices, { value: OTHER, label: "Another address" }]}
        set={pick}
      />
      {typed.value && (
        <Input
          name="host.url"
          label="Address of this host"
          testid="card-address"
          value={address.value}
          placeholder="http://192.168.1.20:8080"
          error={error}
          leave={leave}
          set={(value) => (address.value = value)}
        />
      )}
    </>
  );
}

function WiFi({ card, change, said, leave }: Shared) {
  const { country, networks } = card.value;
  const countries = useMemo(named, []);
  const put = (index: number, part: Partial<Network>) =>
    change({ networks: networks.map((old, at) => (at === index ? { ...old, ...part } : old)) });
  return (
    <details class="card-part" open>
      <summary>Wi-Fi</summary>
      <p class="muted small">
        Leave it empty for a car with a network cable or a SIM card only. The car sees by itself
        whether a network has WPA2 or WPA3. Networks with a user name for each person do not work.
      </p>
      <Select
        name="wifi.country"
        label="Country that the car drives in"
        value={country}
        choices={[{ value: "", label: "Not said: what is allowed everywhere" }, ...countries]}
        set={(value) => change({ country: value })}
      />
      {networks.map((network, index) => (
        <fieldset class="card-network" key={index} data-testid={`network-${index}`}>
          <legend>{index === 0 ? "Network" : `Network ${index + 1}`}</legend>
          <Input
            name={`wifi.${index}.ssid`}
            label="Name, capitals and spaces exactly as it is"
            value={network.ssid}
            error={said(`wifi.${index}.ssid`)}
            leave={leave}
            set={(ssid) => put(index, { ssid })}
          />
          <Input
            name={`wifi.${index}.password`}
            label="Password"
            hint="Leave it empty for an open network."
            value={network.password}
            error={said(`wifi.${index}.password`)}
            leave={leave}
            set={(password) => put(index, { password })}
          />
          <label class="setup-check">
            <input
              type="checkbox"
              name={`wifi.${index}.hidden`}
              checked={network.hidden}
              onChange={(event) => put(index, { hidden: event.currentTarget.checked })}
            />
            <span>It hides its name</span>
          </label>
          {index > 0 && (
            <div class="row">
              <button
                type="button"
                class="button quiet"
                onClick={() => {
                  const moved = networks.filter((_, at) => at !== index);
                  moved.splice(index - 1, 0, network);
                  change({ networks: moved });
                }}
              >
                Prefer it
              </button>
              <button
                type="button"
                class="button quiet"
                onClick={() => change({ networks: networks.filter((_, at) => at !== index) })}
              >
                Remove
              </button>
            </div>
          )}
        </fieldset>
      ))}
      {networks.length < MAX_NETWORKS && (
        <button
          type="button"
          class="button"
          data-testid="network-add"
          onClick={() => change({ networks: [...networks, NO_NETWORK] })}
        >
          Another network
        </button>
      )}
      {networks.length > 1 && (
        <p class="muted small">Of several in reach, the car takes the one further up.</p>
      )}
    </details>
  );
}

/** Countries by the browser's names for them, with its own first. */
function named(): { value: string; label: string }[] {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const list = COUNTRIES.map((value) => ({
    value,
    label: `${names.of(value) ?? value} (${value})`,
  }));
  return list.sort((a, b) => a.label.localeCompare(b.label, "en"));
}

function Fields({ group, card, change, said, leave }: Shared & { group: Group }) {
  const { values } = card.value;
  const put = (key: string, value: string) => change({ values: { ...values, [key]: value } });
  return (
    <details class="card-part" data-testid={`card-${group.name}`}>
      <summary>{group.title}</summary>
      {group.hint !== "" && <p class="muted small">{group.hint}</p>}
      {group.name === "modem" && <Carriers card={card} change={change} />}
      {group.fields
        .filter((field) => applies(field, values))
        .map((field) => (
          <Question
            key={field.key}
            field={field}
            value={values[field.key] ?? ""}
            error={said(field.key)}
            leave={leave}
            set={(value) => put(field.key, value)}
          />
        ))}
    </details>
  );
}

/** Fills in the access point of an operator. */
function Carriers({ card, change }: Pick<Shared, "card" | "change">) {
  const countries = useMemo(() => new Intl.DisplayNames("en", { type: "region" }), []);
  const places = [...new Set(CARRIERS.map(({ country }) => country))];
  const { values, country } = card.value;
  const fits = (carrier: (typeof CARRIERS)[number]) =>
    carrier.apn === (values["modem.apn"] ?? "") && carrier.user === (values["modem.user"] ?? "");
  const picked = CARRIERS.findIndex((one) => fits(one) && one.country === country);
  const chosen = picked >= 0 ? picked : CARRIERS.findIndex(fits);
  const pick = (value: string) => {
    const carrier = CARRIERS[Number(value)];
    const { apn = "", user = "", password = "" } = value === "" ? {} : (carrier ?? {});
    change({
      values: { ...values, "modem.apn": apn, "modem.user": user, "modem.password": password },
    });
  };
  return (
    <label class="field">
      <span>Operator of the SIM card</span>
      <select
        name="modem.carrier"
        data-testid="card-carrier"
        value={chosen < 0 ? "" : String(chosen)}
        onChange={(event) => pick(event.currentTarget.value)}
      >
        <option value="">Another one, or as typed below</option>
        {places.map((place) => (
          <optgroup
            key={place}
            label={place === "*" ? "Everywhere" : (countries.of(place) ?? place)}
          >
            {CARRIERS.map(
              (carrier, index) =>
                carrier.country === place && (
                  <option key={index} value={String(index)}>
                    {carrier.name}
                  </option>
                ),
            )}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

interface QuestionProps {
  readonly field: Field;
  readonly value: string;
  readonly error: string | null;
  readonly leave: (key: string) => void;
  readonly set: (value: string) => void;
}

function Question({ field, value, error, leave, set }: QuestionProps) {
  const hint = field.hint === undefined ? {} : { hint: field.hint };
  if (field.choices) {
    return (
      <Select
        name={field.key}
        label={field.label}
        value={value}
        choices={field.choices}
        set={set}
        {...hint}
      />
    );
  }
  return (
    <Input
      name={field.key}
      label={field.label}
      value={value}
      placeholder={field.placeholder ?? ""}
      numeric={field.kind === "number"}
      error={error}
      leave={leave}
      set={set}
      {...hint}
    />
  );
}

interface InputProps extends Labelled {
  readonly testid?: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly numeric?: boolean;
  readonly leave: (key: string) => void;
  readonly set: (value: string) => void;
}

/**
 * An error moves what stands below it. If it came at once, it would move the button that takes the
 * focus away from under the pointer, and the press would be lost.
 */
const AFTER_A_PRESS_MS = 250;

function Input({ testid, value, placeholder = "", numeric, leave, set, ...labelled }: InputProps) {
  const { name, error = null } = labelled;
  return (
    <Labelled {...labelled}>
      <input
        name={name}
        value={value}
        placeholder={placeholder}
        data-testid={testid ?? `card-${name}`}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        inputMode={numeric ? "decimal" : "text"}
        aria-invalid={error !== null}
        onInput={(event) => set(event.currentTarget.value)}
        onBlur={() => setTimeout(leave, AFTER_A_PRESS_MS, name)}
      />
    </Labelled>
  );
}

interface SelectProps extends Labelled {
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly set: (value: string) => void;
}

function Select({ value, choices, set, ...labelled }: SelectProps) {
  return (
    <Labelled {...labelled}>
      <select
        name={labelled.name}
        value={value}
        data-testid={`card-${labelled.name}`}
        onChange={(event) => set(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

interface Labelled {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | null;
}

function Labelled({ label, hint, error, children }: Labelled & { children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint !== undefined && <small class="muted">{hint}</small>}
      {error !== null && error !== undefined && (
        <small class="field-error" data-testid="field-error">
          {error}
        </small>
      )}
    </label>
  );
}
