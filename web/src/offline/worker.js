// Shows a page that says so while the host cannot be reached, and keeps nothing else: the page itself
// and all that it asks for come from the host each time, so none of it can be an old one.
const CACHE = "rccar-offline-__OFFLINE__";
const LANGUAGES = ["en", "de"];
// The page names the language in the address of this file: what people chose is not known here.
const LANGUAGE = LANGUAGES.find((one) => self.location.search === `?${one}`) ?? "en";
const PARTS = ["offline.css", "offline.js"];
const FILES = [...PARTS, ...LANGUAGES.map((language) => `offline.${language}.html`)];

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(open(request));
  else if (PARTS.some((part) => request.url === here(part))) event.respondWith(part(request));
});

function here(file) {
  return new URL(file, self.registration.scope).href;
}

async function keep() {
  const cache = await caches.open(CACHE);
  // Not what the browser has kept by itself.
  await cache.addAll(FILES.map((file) => new Request(here(file), { cache: "reload" })));
}

async function forget() {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith("rccar-offline-") && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function open(request) {
  try {
    // A careless proxy lets the browser keep the page: it is asked for all the same.
    return await fetch(request, { cache: "no-cache" });
  } catch (error) {
    const cache = await caches.open(CACHE);
    const page = await cache.match(here(`offline.${LANGUAGE}.html`));
    if (page === undefined) throw error;
    return page;
  }
}

async function part(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}
