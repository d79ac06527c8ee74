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
import { ShareCarDialog } from "./share-car";
import { ThemeSwitch } from "./display";
import { FindCars, Parts } from "./find-cars";
import { Top } from "./top";
import { InstallButton, UpdateLine } from "./update-line";
import { count, t } from "../words/words";

export function CarsPage({ app, server }: { app: App; server: ServerInfo }) {
  const adding = useSignal(false);
  const removing = useSignal<CarInfo | null>(null);
  const sharing = useSignal<CarInfo | null>(null);
  const view = app.view.value;
  const wish = app.wish.value;
  const mayAdd = server.mode === "host";
  const route = app.route.value;
  const code = route.page === "claim" && mayAdd ? route.code : null;
  const close = () => {
    adding.value = false;
    if (code !== null) app.go({ page: "cars" }, "replace");
  };
  return (
    <div class="page">
      <Top app={app} server={server} here="cars" />
      <main class="content">
        <div class="headline">
          <h1>{server.mode === "car" ? t().cars.this : t().cars.yours}</h1>
          <p class="muted" role="status">
            {view === null ? t().cars.asking : summary(view, wish)}
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
                share={() => (sharing.value = car)}
              />
            ))}
            {view?.total === 0 && isChoosy(wish) && (
              <li class="no-match" data-testid="no-match">
                <p>{t().cars.noneFits}</p>
                <button type="button" class="button" onClick={() => app.see(EVERYTHING)}>
                  {t().cars.showAll}
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
                  <span>{t().cars.add}</span>
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
      {(adding.value || code !== null) && <AddCarDialog app={app} code={code} close={close} />}
      {sharing.value && (
        <ShareCarDialog app={app} car={sharing.value} close={() => (sharing.value = null)} />
      )}
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
  readonly share: () => void;
}

function CarCard({ car, app, user, remove, share }: CarCardProps) {
  const open = () => app.go({ page: "car", car: car.id, relayOnly: false, trickle: true });
  // Only a host passes the owner's wish on; a car's own page does not.
  const version = remove === null ? null : requestable(car, user);
  const label = isKnown(PRESENCES, car.presence) ? t().cars.drive[car.presence] : t().cars.open;
  const mayDrive = car.role === null || car.role === "owner" || car.role === "driver";
  const mayManage = remove !== null && car.role === "owner";
  return (
    <li
      class={`car ${car.presence}`}
      data-testid={`car-${car.id}`}
      data-presence={car.presence}
      onPointerEnter={() => app.handleNear(car, false)}
      // A hand may be there already when the car becomes free.
      onPointerMove={() => app.handleNear(car, false)}
      onPointerLeave={() => app.handleFar()}
      onPointerDown={() => app.handleNear(car, true)}
      onFocusIn={() => app.handleNear(car, true)}
    >
      <CarPicture />
      <div class="car-text">
        <div class="car-title">
          <h2>{car.name}</h2>
          <span class={`pill ${car.presence}`}>{presence(car)}</span>
        </div>
        <p class="muted small">{car.software ?? t().cars.notYet}</p>
        {(car.owner !== null || mayManage) && (
          <p class="muted small owner" data-testid={`owner-${car.id}`}>
            <span>{ownerWords(car.owner, user)}</span>
            {mayManage && (
              <>
                <button type="button" class="link" data-testid={`share-${car.id}`} onClick={share}>
                  {t().sharing.open}
                </button>
                <button
                  type="button"
                  class="link"
                  data-testid={`remove-${car.id}`}
                  onClick={remove}
                >
                  {t().cars.remove}
                </button>
              </>
            )}
          </p>
        )}
        {car.update !== null && (
          <UpdateLine update={car.update} online={car.presence !== "offline"} />
        )}
        {version !== null && <InstallButton key={version} app={app} car={car} version={version} />}
      </div>
      {mayDrive ? (
        <button
          type="button"
          class={`button wide ${car.presence === "available" ? "primary" : ""}`}
          data-testid={`open-${car.id}`}
          aria-label={t().cars.openCar(label, car.name)}
          onClick={open}
        >
          {label}
        </button>
      ) : (
        <p class="muted small" data-testid={`spectator-${car.id}`}>
          {t().sharing.mayOnlySee(car.owner)}
        </p>
      )}
    </li>
  );
}

function ownerWords(owner: string | null, user: string | null): string {
  if (owner === null) return t().sharing.nobodys;
  return owner === user ? t().cars.mine : t().cars.of(owner);
}

function NoCars({ mayAdd, add }: { mayAdd: boolean; add: () => void }) {
  return (
    <section class="empty" data-testid="car-list">
      <CarPicture />
      <h2>{t().cars.noCars}</h2>
      <ol class="steps">
        <li>{t().cars.flash}</li>
        <li>{t().cars.putFile}</li>
        <li>{t().cars.switchOn}</li>
      </ol>
      {mayAdd && (
        <button type="button" class="button primary" data-testid="add-car" onClick={add}>
          {t().cars.add}
        </button>
      )}
    </section>
  );
}

function presence({ presence: is, driver }: CarInfo): string {
  if (is === "available") return t().cars.ready;
  if (is === "offline") return t().cars.offline;
  if (!isKnown(PRESENCES, is)) return capital(plain(is));
  return driver === null ? t().cars.busy : t().cars.drives(driver);
}

function summary(view: CarView, wish: Wish): string {
  const { known, total, ready, more } = view;
  const words = t().cars;
  if (more) return words.soFar(count(known), known);
  if (known === 0) return words.nothing;
  if (isChoosy(wish)) return words.fit(count(total), count(known), count(ready));
  return ready === 0 ? words.noneReady : words.areReady(count(ready), count(total));
}
