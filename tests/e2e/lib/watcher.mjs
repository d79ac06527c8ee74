// A signed-in driver without a browser, who follows the list of cars.
import WebSocket from 'ws';
import { until } from './wait.mjs';

/** `world` gives a one-time sign-in link. `cars` is the host's current list. */
export class Watcher {
  static async open(world, user) {
    const watcher = new Watcher();
    watcher.world = world;
    watcher.cars = [];
    const token = (await world.signInLink(user)).split('token=')[1];
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${world.url}/api/v1/link`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ token }),
    });
    if (!answer.ok) throw new Error(`signing in: ${answer.status} ${await answer.text()}`);
    watcher.cookie = answer.headers.get('set-cookie').split(';')[0];
    await watcher.connect();
    return watcher;
  }

  async connect() {
    this.socket = new WebSocket(`${this.world.url.replace(/^http/, 'ws')}/ws/driver`, 'rccar.v1', {
      headers: { cookie: this.cookie },
    });
    this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'hello', v: 1 })));
    this.socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.cars) this.cars = message.cars;
      this.welcomed ||= message.type === 'welcome';
    });
    this.socket.on('error', (error) => (this.error = error));
    await until('the host says welcome', () => {
      if (this.error) throw this.error;
      return this.welcomed;
    });
  }

  /** Waits until a car of the list satisfies the condition; returns it. */
  async when(what, condition, options) {
    try {
      return await until(what, () => this.cars.find(condition), { every: 100, ...options });
    } catch (error) {
      throw new Error(`${error.message}\nthe host lists: ${JSON.stringify(this.cars)}`);
    }
  }

  /** Makes a request as this driver. */
  fetch(path, { headers, ...options } = {}) {
    return fetch(`${this.world.url}${path}`, {
      ...options,
      headers: { cookie: this.cookie, ...headers },
    });
  }

  close() {
    this.socket.close();
  }
}
