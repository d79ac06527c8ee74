/** Searches and sorts the list of cars, and goes through its parts. */

import { PART, type CarView, type Wish } from "../core/app/car-list";
import { LIST_SHOWS, LIST_SORTS, type ListShow, type ListSort } from "../protocol/signaling";

const SHOW_WORDS: Readonly<Record<ListShow, string>> = { all: "All", own: "Mine", ready: "Ready" };
const SORT_WORDS: Readonly<Record<ListSort, string>> = { ready: "Ready first", name: "Name" };

export function FindCars({ wish, see }: { wish: Wish; see: (wish: Wish) => void }) {
  // Another wish begins with its first part.
  const want = (change: Partial<Wish>) => see({ ...wish, from: 0, ...change });
  return (
    <form class="find" role="search" aria-label="Cars" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        aria-label="Search by name, owner or identifier"
        placeholder="Name, owner or identifier"
        autocomplete="off"
        spellcheck={false}
        maxLength={64}
        data-testid="search"
        value={wish.search}
        onInput={({ currentTarget }) => want({ search: currentTarget.value })}
      />
      <div class="choices" role="group" aria-label="Show">
        {LIST_SHOWS.map((show) => (
          <button
            key={show}
            type="button"
            aria-pressed={wish.show === show}
            data-testid={`show-${show}`}
            onClick={() => want({ show })}
          >
            {SHOW_WORDS[show]}
          </button>
        ))}
      </div>
      <label class="sort">
        <span>Sort</span>
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
              {SORT_WORDS[sort]}
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
  const count = (number: number) => number.toLocaleString("en");
  return (
    <nav class="parts" aria-label="Parts of the list">
      <button
        type="button"
        class="button"
        data-testid="previous"
        disabled={from === 0}
        onClick={() => to(Math.max(0, from - PART))}
      >
        Previous
      </button>
      <span role="status" data-testid="part">
        {count(from + 1)} to {count(last)} of {count(total)}
      </span>
      <button
        type="button"
        class="button"
        data-testid="next"
        disabled={last >= total}
        onClick={() => to(from + PART)}
      >
        Next
      </button>
    </nav>
  );
}
