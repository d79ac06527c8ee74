/** Searches and sorts the list of cars, and goes through its parts. */

import { PART, type CarView, type Wish } from "../core/app/car-list";
import { LIST_SHOWS, LIST_SORTS } from "../protocol/signaling";
import { count, t } from "../words/words";

export function FindCars({ wish, see }: { wish: Wish; see: (wish: Wish) => void }) {
  // Another wish begins with its first part.
  const want = (change: Partial<Wish>) => see({ ...wish, from: 0, ...change });
  return (
    <form
      class="find"
      role="search"
      aria-label={t().pages.cars}
      onSubmit={(event) => event.preventDefault()}
    >
      <input
        type="search"
        aria-label={t().cars.search}
        placeholder={t().cars.searchHint}
        autocomplete="off"
        spellcheck={false}
        maxLength={64}
        data-testid="search"
        value={wish.search}
        onInput={({ currentTarget }) => want({ search: currentTarget.value })}
      />
      <div class="choices" role="group" aria-label={t().cars.show}>
        {LIST_SHOWS.map((show) => (
          <button
            key={show}
            type="button"
            aria-pressed={wish.show === show}
            data-testid={`show-${show}`}
            onClick={() => want({ show })}
          >
            {t().cars.shows[show]}
          </button>
        ))}
      </div>
      <label class="sort">
        <span>{t().cars.sort}</span>
        <select
          data-testid="sort"
          value={wish.sort}
          onChange={({ currentTarget }) => {
            const sort = LIST_SORTS.find((known) => known === currentTarget.value);
            if (sort !== undefined) want({ sort });
          }}
        >
          {LIST_SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {t().cars.sorts[sort]}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

/** Which part of the list is shown, and the ways to the others; nothing if there is only one. */
export function Parts({ view, see }: { view: CarView; see: (from: number) => void }) {
  const { from, total, cars } = view;
  if (total <= PART) return null;
  const last = from + cars.length;
  const to = (number: number) => {
    see(number);
    window.scrollTo({ top: 0 });
  };
  return (
    <nav class="parts" aria-label={t().cars.parts}>
      <button
        type="button"
        class="button"
        data-testid="previous"
        disabled={from === 0}
        onClick={() => to(Math.max(0, from - PART))}
      >
        {t().cars.previous}
      </button>
      <span role="status" data-testid="part">
        {t().cars.part(count(from + 1), count(last), count(total))}
      </span>
      <button
        type="button"
        class="button"
        data-testid="next"
        disabled={last >= total}
        onClick={() => to(from + PART)}
      >
        {t().cars.next}
      </button>
    </nav>
  );
}
