/** The list of cars. */

import { useSignal } from "@preact/signals";
import type { App } from "../app/app";
import type { ServerInfo } from "../core/app/http";
import { EVERYTHING, type CarView, type Wish } from "../core/app/car-list";
import { requestable } from "../core/app/updates";
import { capital, plain } from "../core/app/messages";
import { PRESENCES, type CarInfo } from "../protocol/common";
import { isKnown } from "../protocol/words";
import { AddCarDialog } from "./add-car";
import { CarStatusPanel } from "./car-status";
import { CarPicture, PlusIcon } from "./icons";
import { RemoveCarDialog } from "./remove-car";
import { ThemeSwitch } from "./display";
import { FindCars, Parts } from "./find-cars";
import { Top } from "./top";
import { InstallButton, UpdateLine } from "./update-line";

export function CarsPage({ app, server }: { app: App; server: ServerInfo }) {
  const adding = useSignal(false);
  const removing = useSignal<CarInfo | null>(null);
  const view = app.view.value;
  const wish = app.wish.value;
  const mayAdd = server.mode === "host";
  return (
    <div class="page">
      <Top app={app} server={server} here="cars" />
      <main class="content">
        <div class="headline">
          <h1>{server.mode === "car" ? "This car" : "Your cars"}</h1>
          <p class="muted" role="status">
            {view === null ? "Asking the host" : summary(view, wish)}
          </p>
        </div>
        {view !== null && mayAdd && (view.known >= FEW || isChoosy(wish)) && (
          <FindCars wish={wish} see={(wanted) => app.see(wanted)} />
        )}
        {view?.known === 0 && !view.more ? (
          <NoCars mayAdd={mayAdd} add={() => (adding.value = true)} />
        ) : (
          <ul class="cars" data-testid="car-list" aria-busy={view === null}>
            {view === null && [0, 1].map((key) => <li class="car skeleton" key={key} />)}
            {view?.cars.map((car) => (
              <CarCard
                key={car.id}
                car={car}
                app={app}
                user={server.user}
                remove={mayAdd ? () => (removing.value = car) : null}
              />
            ))}
            {view?.total === 0 && isChoosy(wish) && (
              <li class="no-match" data-testid="no-match">
                <p>No car fits.</p>
                <button type="button" class="button" onClick={() => app.see(EVERYTHING)}>
                  Show all
                </button>
              </li>
            )}
            {view !== null && mayAdd && (
              <li>
                <button
                  type="button"
                  class="add-car"
                  data-testid="add-car"
                  onClick={() => (adding.value = true)}
                >
                  <PlusIcon />
                  <span>Add a car</span>
                </button>
              </li>
            )}
          </ul>
        )}
        {view !== null && <Parts view={view} see={(from) => app.see({ ...wish, from })} />}
        {server.mode === "car" && <CarStatusPanel app={app} />}
      </main>
      <footer class="foot muted">
        <span>{server.software}</span>
        <span>rccar-web/{__VERSION__}</span>
        <ThemeSwitch />
      </footer>
      {adding.value && <AddCarDialog app={app} close={() => (adding.value = false)} />}
      {removing.value && (
        <RemoveCarDialog app={app} car={removing.value} close={() => (removing.value = null)} />
      )}
    </div>
  );
}

/** So many cars are seen at a glance: nobody needs to search them. */
const FEW = 9;

function isChoosy({ search, show }: Wish): boolean {
  return search.trim() !== "" || show !== "all";
}

interface CarCardProps {
  readonly car: CarInfo;
  readonly app: App;
  readonly user: string | null;
  /** Asks to remove the car; `null` on a car's own page. */
  readonly remove: (() => void) | null;
}

function CarCard({ car, app, user, remove }: CarCardProps) {
  const open = () => app.go({ page: "car", car: car.id, relayOnly: false, trickle: true });
  // Only a host passes the owner's wish on; a car's own page does not.
  const version = remove === null ? null : requestable(car, user);
  const label = isKnown(PRESENCES, car.presence) ? DRIVE_LABELS[car.presence] : "Open";
  return (
    <li class={`car ${car.presence}`} data-testid={`car-${car.id}`} data-presence={car.presence}>
      <CarPicture />
      <div class="car-text">
        <div class="car-title">
          <h2>{car.name}</h2>
          <span class={`pill ${car.presence}`}>{presence(car)}</span>
        </div>
        <p class="muted small">{car.software ?? "Has not registered yet"}</p>
        {car.owner !== null && (
          <p class="muted small owner" data-testid={`owner-${car.id}`}>
            <span>{car.owner === user ? "Yours" : `${car.owner}'s`}</span>
            {car.owner === user && remove && (
              <button type="button" class="link" data-testid={`remove-${car.id}`} onClick={remove}>
                Remove
              </button>
            )}
          </p>
        )}
        {car.update !== null && (
          <UpdateLine update={car.update} online={car.presence !== "offline"} />
        )}
        {version !== null && <InstallButton key={version} app={app} car={car} version={version} />}
      </div>
      <button
        type="button"
        class={`button wide ${car.presence === "available" ? "primary" : ""}`}
        data-testid={`open-${car.id}`}
        aria-label={`${label}: ${car.name}`}
        onClick={open}
      >
        {label}
      </button>
    </li>
  );
}

function NoCars({ mayAdd, add }: { mayAdd: boolean; add: () => void }) {
  return (
    <section class="empty" data-testid="car-list">
      <CarPicture />
      <h2>No cars yet</h2>
      <ol class="steps">
        <li>Flash the image onto an SD card.</li>
        <li>Add the car here and put the file you get onto the card.</li>
        <li>Put the card into the car and switch it on. It appears here by itself.</li>
      </ol>
      {mayAdd && (
        <button type="button" class="button primary" data-testid="add-car" onClick={add}>
          Add a car
        </button>
      )}
    </section>
  );
}

const DRIVE_LABELS = { available: "Drive", busy: "Open", offline: "Wait for it" } as const;

function presence({ presence: is, driver }: CarInfo): string {
  if (is === "available") return "Ready";
  if (is === "offline") return "Offline";
  if (!isKnown(PRESENCES, is)) return capital(plain(is));
  return driver === null ? "Busy" : `${driver} drives`;
}

function summary(view: CarView, wish: Wish): string {
  const { known, total, ready, more } = view;
  const count = (number: number) => number.toLocaleString("en");
  if (more) return `${count(known)} cars so far, more are coming`;
  if (known === 0) return "Nothing to drive so far";
  if (isChoosy(wish))
    return `${count(total)} of ${count(known)} cars fit, ${count(ready)} ready to drive`;
  return ready === 0
    ? "None is ready right now"
    : `${count(ready)} of ${count(total)} ready to drive`;
}
