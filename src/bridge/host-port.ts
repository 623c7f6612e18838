/** HOST:PORT, an IPv6 host in brackets: what TCP listeners and the probes are bound to. */
const form = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/;

export interface HostPort {
  /** Without brackets, in lower case. */
  host: string;
  port: number;
}

/** Null for anything else. */
export function parseHostPort(text: string): HostPort | null {
  const [, bracketed, plain, digits] = form.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? null : { host: host.toLowerCase(), port };
}
