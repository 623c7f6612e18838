/**
 * The configuration of a bridge as a program or a file gives it, described field by field. The schema (schema.ts) checks it;
 * test/types/options.ts compares both.
 */
import type { DtesnConfigOptions } from '../../processor/index.js';

/** Section `network`: the Deep Tree that processes inputs. A change while the bridge runs builds a new one beside it. */
export interface BridgeNetworkInput extends DtesnConfigOptions {}

/** A network of sessions, as the JSON of a configuration builds it. */
export interface BridgeNetworkDefinition {
  /** The class of the network. Required. */
  kind: 'DeepTreeModel' | 'Reservoir' | 'Es2n' | 'EuSn' | 'Nvar';
  /** Options of its constructor, in JSON. Required. */
  options: Record<string, unknown>;
  /** A trained readout: rows of weights, features x outputs, and one bias an output. Default: none. */
  readout?: { weights: number[][]; bias: number[] } | undefined;
}

/** Section `processing`: bounds of the queue before the model. All may change while the bridge runs. */
export interface BridgeProcessingInput {
  /** Milliseconds that a batch which is not full waits for more requests, 0 to 5. Default 1. */
  batchWaitMs?: number | undefined;
  /** Requests that may wait for the model, 2 to 1,000,000; more are refused with `queue_full`. Default 1024. */
  maxRequests?: number | undefined;
  /** Bytes of the bodies of the requests that wait, 2 to 2^40. Default 268,435,456 (256 MiB). */
  maxQueueBytes?: number | undefined;
  /** Milliseconds that a request may wait, 1 to 3,600,000. Default 60,000. */
  queueTtlMs?: number | undefined;
  /** Streams of chunks at the same time, 2 to 100,000. Default 256. */
  maxStreams?: number | undefined;
  /** Bytes of all bodies in flight, 2^20 to 2^40. Default 536,870,912 (512 MiB). */
  maxBodyBytes?: number | undefined;
}

/** Section `sessions`: bounds of the session service and of its journal. */
export interface BridgeSessionsInput {
  /** Sessions at the same time, 1 to 1,000,000. Default 10,000. */
  maxSessions?: number | undefined;
  /** Milliseconds without steps after which a session ends, 1000 to 2^31 - 1. Default 86,400,000 (a day). */
  idleMs?: number | undefined;
  /** Milliseconds between group commits of the journal, 1 to 60,000; taken at the start. Default 250. */
  checkpointMs?: number | undefined;
  /** Bytes of the journal on disk, 2^20 to 2^50; taken at the start. Default: no bound but the disk. */
  stateMaxBytes?: number | undefined;
  /** Bytes of the online learners of all sessions, 0 to 2^50. Default 1,073,741,824 (1 GiB). */
  maxRlsBytes?: number | undefined;
  /** Networks of sessions, with those that older sessions have, 1 to 1000. Default 16. */
  maxNetworks?: number | undefined;
  /** Bytes of the weights of all networks of sessions, 0 to 2^50. Default 1,073,741,824 (1 GiB). */
  networkBytes?: number | undefined;
}

/** Section `outlook`: what is predicted of requests, and what follows from it. All may change while the bridge runs. */
export interface BridgeOutlookInput {
  /** 'active': /v1/admit refuses requests; 'advisory': it admits them and says what it would refuse. Default 'advisory'. */
  admission?: 'advisory' | 'active' | undefined;
  /** Seconds from the start of an engine until it serves, for the scale hint, 0 to 3600. Default 60. */
  startupSeconds?: number | undefined;
  /** Share of the capacity of the engines that the load may take, for the scale hint, 0.01 to 1. Default 0.7. */
  targetUse?: number | undefined;
}

/** An engine as the configuration file names it. Its key is in a file of its own. */
export interface BridgeEngineInput {
  /** `http://host:port`, `https://...`, `unix:/path`, or `dns+http://host:port` (each address is one engine). Required. */
  url: string;
  /** Name of the engine, 1 to 256 characters, unique. Default: the URL. */
  name?: string | undefined;
  /** Kind of the engine, such as 'vllm'. Default: detected. */
  kind?: string | undefined;
  /** The path of a file with its API key, at most 4096 characters. Default: no key. */
  apiKeyFile?: string | undefined;
  /** Trusted authorities in PEM, for https. Default: those of Node. */
  ca?: string | undefined;
}

/**
 * Fields of the configuration of a bridge: of the file, of the environment (DTESN_BRIDGE_*), of flags and of Bridge.start.
 * docs/bridge-configuration.md says which may change while it runs.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT that names a field of the program; an error with `exitCode` 78 for one of the file or the
 * environment.
 */
export interface BridgeConfigInput {
  /** The Deep Tree that processes inputs. Default: the defaults of its fields. */
  network?: BridgeNetworkInput | undefined;
  /** Networks of sessions by name (A-Z a-z 0-9 . _ -, 1 to 64): a definition, or the path of a file with one. Default {}. */
  networks?: Record<string, BridgeNetworkDefinition | { file: string }> | undefined;
  /** Saved models by name (A-Z a-z 0-9 . _ -, 1 to 64): the path of a file of Esn.save. No network has the same name. Default {}. */
  models?: Record<string, { file: string }> | undefined;
  /** Bounds of the queue before the model. Default: the defaults of its fields. */
  processing?: BridgeProcessingInput | undefined;
  /** Bounds of sessions and of their journal. Default: the defaults of its fields. */
  sessions?: BridgeSessionsInput | undefined;
  /** Admission by predicted times to first token. Default: the defaults of its fields. */
  outlook?: BridgeOutlookInput | undefined;
  /** Engines to watch, at most 50: addresses or definitions. Default []: the embedded simulation. */
  engines?: (string | BridgeEngineInput)[] | undefined;
  /** The path of a file of engines in the form of Prometheus file_sd, watched. Default: none. */
  enginesFile?: string | undefined;
  /** Addresses to listen on: HOST:PORT, [HOST]:PORT or unix:PATH; [] opens none. Default ['127.0.0.1:2250']. */
  listen?: string[] | undefined;
  /** HOST:PORT of the probes; null opens none. Default 127.0.0.1:2251, or a free port where that is taken. */
  probeListen?: string | null | undefined;
  /** The folder of the journal of sessions; null keeps sessions in memory. Default null. */
  stateDir?: string | null | undefined;
  /** Milliseconds to wait for the lock of that folder, 0 to 600,000. Default 15,000. */
  lockWaitMs?: number | undefined;
  /** Milliseconds without a heartbeat until /livez answers 503, 100 to 3,600,000. Default 30,000. */
  livenessMs?: number | undefined;
  /** Milliseconds between the end of readiness and the close of the listeners, 0 to 60,000. Default 5000. */
  settleMs?: number | undefined;
  /** The path of a file with the token of the scope `read`. Default: none. */
  readTokenFile?: string | undefined;
  /** The path of a file with the token of the scope `use`. Default: none. */
  useTokenFile?: string | undefined;
  /** The path of a file with the token that may change the configuration. Default: none. */
  adminTokenFile?: string | undefined;
  /** Milliseconds for which the previous token stays valid after its file changed, 0 to 86,400,000. Default 300,000. */
  tokenGraceMs?: number | undefined;
  /** The path of the certificate in PEM; requires `tlsKey`. Default: no TLS. */
  tlsCert?: string | undefined;
  /** The path of the key of the certificate in PEM; requires `tlsCert`. Default: no TLS. */
  tlsKey?: string | undefined;
  /** Permissions of Unix sockets: 0o600, 0o660 or 0o666. Default 0o660. */
  socketMode?: 0o600 | 0o660 | 0o666 | undefined;
  /** Further names that the header Host may have. Default []. */
  allowedHosts?: string[] | undefined;
  /** Addresses of proxies whose X-Forwarded-For names the client, for limits only. Default []. */
  trustedProxies?: string[] | undefined;
  /** The least level that is logged. Default 'info'. */
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | undefined;
}
