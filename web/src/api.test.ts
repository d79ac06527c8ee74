import { describe, expect, it } from "vitest";
import { Api } from "./api";
import { ApiError } from "./core/app/http";

const info = {
  mode: "host",
  software: "rccar-host/0.1.0",
  signed_in: true,
  user: "Ada",
  role: "member",
  setup_required: false,
  sign_in: "password",
};

describe("Api", () => {
  it("reads who is signed in", async () => {
    expect(await api(200, { ...info, more: 1 }).serverInfo()).toEqual(info);
  });

  it.each([{ ...info, mode: "boat" }, { ...info, signed_in: "yes" }, null, []])(
    "refuses the answer %j",
    async (body) => {
      await expect(api(200, body).serverInfo()).rejects.toThrow(ApiError);
    },
  );

  it("sends what the host expects", async () => {
    const requests: [string, string | undefined, unknown][] = [];
    const api = new Api((path, { method, body }) => {
      requests.push([path, method, typeof body === "string" ? JSON.parse(body) : null]);
      return Promise.resolve(new Response(null, { status: 204 }));
    });
    await api.signIn("Ada", "secret");
    await api.signInWithCode("123456");
    await api.signOut();
    await api.setUp("t", "Ada", "secret");
    await api.followLink("t");
    await api.choosePassword("t", "secret");
    await api.changePassword("old", "secret");
    await api.endSignIn("a/b");
    await api.endOtherSignIns();
    expect(requests).toEqual([
      ["/api/v1/sign-in", "POST", { name: "Ada", password: "secret" }],
      ["/api/v1/sign-in", "POST", { code: "123456" }],
      ["/api/v1/sign-in", "DELETE", null],
      ["/api/v1/setup", "POST", { token: "t", name: "Ada", password: "secret" }],
      ["/api/v1/link", "POST", { token: "t" }],
      ["/api/v1/password-link", "POST", { token: "t", password: "secret" }],
      ["/api/v1/account/password", "POST", { present: "old", new: "secret" }],
      ["/api/v1/sign-ins/a%2Fb", "DELETE", null],
      ["/api/v1/sign-ins", "DELETE", null],
    ]);
  });

  it("signs in at a host of 0.1.0 by its path, and keeps to it", async () => {
    const requests: [string | undefined, string][] = [];
    const api = new Api((path, { method }) => {
      requests.push([method, path]);
      const status = path === "/api/v1/session" ? 204 : 404;
      return Promise.resolve(new Response(null, { status }));
    });
    await api.signIn("Ada", "secret");
    await api.signOut();
    expect(requests).toEqual([
      ["POST", "/api/v1/sign-in"],
      ["POST", "/api/v1/session"],
      ["DELETE", "/api/v1/session"],
    ]);
  });

  it("says that neither path is there", async () => {
    const api = new Api(() => Promise.resolve(new Response(null, { status: 404 })));
    await expect(api.signIn("Ada", "secret")).rejects.toThrow(ApiError);
  });

  it("reads an enrolment", async () => {
    const enrolment = {
      token: "t",
      expires_at: 1_800_000_000,
      url: null,
      config: "[host]\n",
      provision: "# all\n",
    };
    expect(await api(201, enrolment).enrol()).toEqual(enrolment);
  });

  it("claims, updates, revokes and names a new car", async () => {
    const requests: [string, string | undefined, unknown][] = [];
    const api = new Api((path, { method, body }) => {
      requests.push([path, method, typeof body === "string" ? JSON.parse(body) : null]);
      const answer = {
        car: "c",
        name: "Blitz",
        token: "t",
        expires_at: 1,
        config: "",
        provision: "",
      };
      return Promise.resolve(new Response(JSON.stringify(answer), { status: 201 }));
    });
    expect(await api.claim("K7QP-2VXH")).toEqual({ car: "c", name: "Blitz" });
    await api.install("eh7d", "0.4.0+a");
    await api.revoke("eh7d");
    await api.enrol("Blitz");
    await api.enrol();
    expect(requests).toEqual([
      ["/api/v1/claims", "POST", { code: "K7QP-2VXH" }],
      ["/api/v1/cars/eh7d/install", "POST", { version: "0.4.0+a" }],
      ["/api/v1/cars/eh7d", "DELETE", null],
      ["/api/v1/enrolments", "POST", { name: "Blitz" }],
      ["/api/v1/enrolments", "POST", {}],
    ]);
  });

  it("reads what a car says of itself", async () => {
    const status = {
      near: true,
      car: "c",
      name: "Blitz",
      host: { url: "https://cars.example", state: "unclaimed", text: null },
      claim: "K7QP-2VXH",
      provision: {
        file: "faulty",
        faults: [{ line: 12, key: "camera.fps", what: "no", example: "fps = 30" }],
        unused: [
          { table: "camera", instead: "kept" },
          { table: "drive", instead: "off" },
        ],
        notices: ["the data partition was made anew"],
        host_name: "blitz",
      },
    };
    expect(await api(200, status).status()).toEqual(status);
    const nothing = {
      near: false,
      car: null,
      name: null,
      host: null,
      claim: null,
      provision: null,
    };
    expect(await api(200, nothing).status()).toEqual(nothing);
    const later = {
      ...status,
      host: { url: "a", state: "moving", text: null },
      provision: {
        ...status.provision,
        file: "half-read",
        unused: [{ table: "camera", instead: "neighbour" }],
      },
    };
    expect(await api(200, later).status(), "words of a later car").toEqual(later);
    await expect(
      api(200, { ...status, host: { url: "a", state: "No word" } }).status(),
    ).rejects.toThrow(ApiError);
  });

  it("passes on code and words of a refusal", async () => {
    const refused = api(401, { code: "bad-credentials", text: "no" }).signIn("a", "b");
    await expect(refused).rejects.toMatchObject({
      status: 401,
      code: "bad-credentials",
      text: "no",
    });
  });

  it("survives a refusal that is not of the host's making", async () => {
    const html = new Api(() => Promise.resolve(new Response("<html>", { status: 502 })));
    await expect(html.serverInfo()).rejects.toMatchObject({ status: 502, code: "unknown" });
  });

  it("has status 0 when no answer comes", async () => {
    const offline = new Api(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(offline.serverInfo()).rejects.toMatchObject({ status: 0 });
  });
});

function api(status: number, body: unknown): Api {
  return new Api(() => Promise.resolve(new Response(JSON.stringify(body), { status })));
}
