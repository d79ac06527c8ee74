// A car that only registers. Its key is here, its WebSocket in a page of the host.
import { generateKeyPairSync, sign } from 'node:crypto';

export class PlainCar {
  #keys = generateKeyPairSync('ed25519');

  /** Registers with an enrolment token; returns the car's token for HTTP. */
  async register(page, { token, name }) {
    const nonce = await page.evaluate(connect);
    const host = new URL(page.url()).host;
    const message = Buffer.concat([
      Buffer.from(`rccar register v1\0${host}\0`),
      Buffer.from(nonce, 'base64'),
    ]);
    const base64 = (bytes) => bytes.toString('base64').replace(/=+$/, '');
    const key = this.#keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = sign(null, message, this.#keys.privateKey);
    const register = {
      v: 1,
      key: base64(key),
      signature: base64(signature),
      name,
      software: 'rccar-e2e/1',
      enrolment: token,
    };
    await page.evaluate((words) => globalThis.car.say(words), {
      type: 'register',
      ...register,
    });
    this.page = page;
    return (await this.hears('access')).token;
  }

  /** Waits for the next message of this type. */
  hears(type) {
    return this.page.evaluate((wanted) => globalThis.car.hears(wanted), type);
  }

  async reports(status) {
    await this.page.evaluate((words) => globalThis.car.say(words), {
      type: 'update',
      status,
    });
  }
}

/** Inside the page: opens the WebSocket and returns the nonce of the challenge. */
async function connect() {
  const socket = new WebSocket(`ws://${location.host}/ws/car`, 'rccar.v1');
  const [heard, waiting] = [[], []];
  socket.onmessage = ({ data }) => {
    heard.push(JSON.parse(data));
    waiting.splice(0).forEach((look) => look());
  };
  const hears = async (type) => {
    for (;;) {
      const at = heard.findIndex((message) => message.type === type);
      if (at >= 0) return heard.splice(at, 1)[0];
      await new Promise((look) => waiting.push(look));
    }
  };
  globalThis.car = {
    hears,
    say: (message) => socket.send(JSON.stringify(message)),
  };
  return (await hears('challenge')).nonce;
}
