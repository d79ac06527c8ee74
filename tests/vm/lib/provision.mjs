// The file on the card that makes an image somebody's car.

/** `changes` are tables to change: `{ car: { name: 'Other' } }`. */
export function provision({ host, owner }, token, changes = {}) {
  const tables = {
    host: { url: host.url, ...(token && { token }) },
    car: { name: 'Emulated car' },
    // Drawn by libcamera's virtual camera, small and slow: the emulator encodes it.
    camera: { source: 'libcamera', width: 320, height: 180, fps: 10, bitrate_kbps: 500 },
    ssh: { public_key: owner.publicKey },
  };
  for (const [table, keys] of Object.entries(changes))
    tables[table] = { ...tables[table], ...keys };
  return Object.entries(tables)
    .map(([table, keys]) => `[${table}]\n${lines(keys)}`)
    .join('\n');
}

// A JSON string, number or boolean is one of TOML, too.
const lines = (keys) =>
  Object.entries(keys)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');
