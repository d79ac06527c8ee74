/** Addresses of ICE servers that a browser takes. */

import type { IceServer } from "../../protocol/common";

/**
 * `stun:` and `turn:` addresses (RFC 7064 section 3.1, RFC 7065 section 3.1): a scheme, a host that
 * may be an IPv6 address in brackets, a port, and for TURN a transport. Providers hand out others,
 * such as `stun:…?transport=udp`, and one of them makes a browser refuse the whole connection.
 */
const ADDRESS = /^(?:stuns?:(?<stun>.+)|turns?:(?<turn>[^?]+)(?:\?transport=(?:udp|tcp))?)$/iu;
const HOST =
  /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?)(?::(?<port>[0-9]{1,5}))?$/iu;

export function isIceAddress(url: string): boolean {
  const parts = ADDRESS.exec(url)?.groups;
  const host = HOST.exec(parts?.["stun"] ?? parts?.["turn"] ?? "");
  if (!host) return false;
  const port = Number(host.groups?.["port"] ?? "3478");
  return port >= 1 && port <= 65_535;
}

/** What of the servers can be used, and the addresses that cannot. */
export function usableServers(servers: readonly IceServer[]): {
  servers: IceServer[];
  refused: string[];
} {
  const refused: string[] = [];
  const usable = servers.flatMap((server) => {
    const needsUser = (url: string) => /^turns?:/iu.test(url);
    const hasUser = server.username !== null && server.credential !== null;
    const urls = server.urls.filter((url) => {
      const good = isIceAddress(url) && (hasUser || !needsUser(url));
      if (!good) refused.push(url);
      return good;
    });
    return urls.length === 0 ? [] : [{ ...server, urls }];
  });
  return { servers: usable, refused };
}
