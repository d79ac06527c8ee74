// On the page that is shown while nothing answers: goes on as soon as something does.
const ASK_EVERY_MS = 5_000;

async function look() {
  // Any answer will do; the style of this page would come from the cache.
  const answer = await fetch("manifest.webmanifest", { method: "HEAD", cache: "no-store" }).catch(
    () => null,
  );
  if (answer !== null) location.reload();
}

document.querySelector("button")?.addEventListener("click", () => location.reload());
addEventListener("online", () => void look());
setInterval(() => void look(), ASK_EVERY_MS);
