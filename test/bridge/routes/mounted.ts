/** A small bridge in this process, mounted in a server on a free port of the loopback interface. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bridge, type BridgeOptions } from '../../../src/bridge/index.js';

export interface Mounted extends AsyncDisposable {
  bridge: Bridge;
  url: string;
  port: number;
}

export async function mounted(options: BridgeOptions = {}): Promise<Mounted> {
  const network = { units: 16, depth: 2, inputs: 3 };
  const bridge = await Bridge.start({ listen: [], probeListen: null, network, logLevel: 'error', ...options });
  const server = http.createServer(bridge.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    bridge,
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await bridge.close();
    },
  };
}
