/**
 * The configuration of a bridge: one schema for the JSON file, the environment, the flags, the program that starts it, and the
 * changes that come over HTTP.
 *
 * The fields of `live` sections may change while the bridge runs, but for those of `atStart`. Where it listens, whom it trusts,
 * which engines it reads and which files it opens are set at the start, by file, environment, flag or program, never over HTTP.
 */
import { z } from 'zod';
import { admissionModes } from '../../outlook/index.js';
import { configOptionsSchema } from '../../processor/index.js';

const whole = (least: number, most: number) => z.int().min(least).max(most);
const file = z.string().min(1).max(4096);

const { depth, units, inputs, bseriesOrder, caching, sourceDeadlineMs, seed } = configOptionsSchema.shape;
export const networkSchema = z
  .strictObject({
    depth: depth.describe('levels of the membrane tree'),
    units: units.describe('units of the whole tree'),
    inputs: inputs.describe('features of a step'),
    bseriesOrder: bseriesOrder.describe('order of the elementary differentials'),
    caching: caching.describe('whether answers of sources, ids and plans are kept'),
    sourceDeadlineMs: sourceDeadlineMs.describe('milliseconds for all sources together'),
    seed: seed.describe('of the weights and of the token embedding'),
  })
  .describe('the Deep Tree that processes inputs; a change builds a new one beside it');

export const definitionSchema = z
  .strictObject({
    kind: z.enum(['DeepTreeModel', 'Reservoir', 'Es2n', 'EuSn', 'Nvar']).describe('the class of the network'),
    options: z.record(z.string(), z.unknown()).describe('options of its constructor, in JSON'),
    readout: z
      .strictObject({ weights: z.array(z.array(z.number())), bias: z.array(z.number()) })
      .optional()
      .describe('rows of weights, features x outputs, and one bias an output'),
  })
  .describe('what builds a network');

export const processingSchema = z.strictObject({
  batchWaitMs: z.number().min(0).max(5).default(1).describe('milliseconds that a batch which is not full waits'),
  maxRequests: whole(2, 1_000_000).default(1024).describe('requests that may wait for the model'),
  maxQueueBytes: whole(2, 2 ** 40)
    .default(256 * 2 ** 20)
    .describe('bytes of their bodies'),
  queueTtlMs: whole(1, 3_600_000).default(60_000).describe('milliseconds that a request may wait'),
  maxStreams: whole(2, 100_000).default(256).describe('streams of chunks under way'),
  maxBodyBytes: whole(2 ** 20, 2 ** 40)
    .default(512 * 2 ** 20)
    .describe('bytes of all bodies in flight'),
});

export const sessionsSchema = z.strictObject({
  maxSessions: whole(1, 1_000_000).default(10_000).describe('sessions at the same time'),
  idleMs: whole(1000, 2 ** 31 - 1)
    .default(86_400_000)
    .describe('milliseconds without steps after which a session ends'),
  checkpointMs: whole(1, 60_000).default(250).describe('milliseconds between group commits'),
  stateMaxBytes: whole(2 ** 20, 2 ** 50)
    .optional()
    .describe('bytes of the journal on disk'),
  maxRlsBytes: whole(0, 2 ** 50)
    .default(2 ** 30)
    .describe('bytes of the learners of all sessions'),
  maxNetworks: whole(1, 1000).default(16).describe('networks of sessions, with those that older sessions have'),
  networkBytes: whole(0, 2 ** 50)
    .default(2 ** 30)
    .describe('bytes of the weights of all of them'),
});

export const outlookSchema = z.strictObject({
  admission: z
    .enum(admissionModes)
    .default('advisory')
    .describe('whether /v1/admit refuses (active), or admits and says what it would refuse (advisory)'),
  startupSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(60)
    .describe('seconds from the start of an engine until it serves, for the scale hint'),
  targetUse: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.7)
    .describe('share of the capacity of the engines that the load may take, for the scale hint'),
});

/** Secrets stand in files: a definition names the file of its key. */
const engineSchema = z.strictObject({
  url: z.string().min(1),
  name: z.string().min(1).max(256).optional(),
  kind: z.string().min(1).optional(),
  apiKeyFile: file.optional(),
  ca: z.string().optional(),
});

export const networkName = /^[A-Za-z0-9._-]{1,64}$/;

export const configSchema = z.strictObject({
  network: networkSchema.prefault({}),
  networks: z
    .record(z.string().regex(networkName), z.union([definitionSchema, z.strictObject({ file })]))
    .default({})
    .describe('networks of sessions by name: a definition, or { file } that holds one'),
  models: z
    .record(z.string().regex(networkName), z.strictObject({ file }))
    .default({})
    .describe('saved models by name: { file } that esn.save or dtesn fit --save wrote'),
  processing: processingSchema.prefault({}),
  sessions: sessionsSchema.prefault({}),
  outlook: outlookSchema.prefault({}),
  engines: z
    .array(z.union([z.string().min(1), engineSchema]))
    .max(50)
    .default([])
    .describe('addresses of engines, or { url, name, kind, apiKeyFile, ca }'),
  enginesFile: file.optional().describe('a file of engines in the form of Prometheus file_sd, watched'),
  listen: z.array(z.string().min(1)).default(['127.0.0.1:2250']).describe('HOST:PORT, [HOST]:PORT or unix:PATH'),
  probeListen: z
    .string()
    .min(1)
    .nullable()
    .optional()
    .describe('HOST:PORT of the probes; 127.0.0.1:2251, or a free port where that is taken'),
  stateDir: file.nullable().default(null).describe('the folder of the journal; null keeps sessions in memory'),
  lockWaitMs: whole(0, 600_000).default(15_000).describe('milliseconds to wait for the lock of the folder'),
  livenessMs: whole(100, 3_600_000).default(30_000).describe('milliseconds without a heartbeat until /livez is 503'),
  settleMs: whole(0, 60_000).default(5000).describe('milliseconds between leaving readiness and closing the listeners'),
  readTokenFile: file.optional().describe('the file of the token for looking'),
  useTokenFile: file.optional().describe('the file of the token for using'),
  adminTokenFile: file.optional().describe('the file of the token for changing the configuration'),
  tokenGraceMs: whole(0, 86_400_000).default(300_000).describe('milliseconds that the token before is good for'),
  tlsCert: file.optional().describe('the file of the certificate, in PEM'),
  tlsKey: file.optional().describe('the file of its key, in PEM'),
  socketMode: z
    .union([z.literal(0o600), z.literal(0o660), z.literal(0o666)])
    .default(0o660)
    .describe('permissions of Unix sockets: 384 (0600), 432 (0660) or 438 (0666)'),
  allowedHosts: z.array(z.string().min(1)).default([]).describe('further names that Host may have'),
  trustedProxies: z
    .array(z.string().min(1))
    .default([])
    .describe('addresses whose X-Forwarded-For names the client, for limits alone'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('the least level that is logged'),
});

/** The configuration of a bridge with every default filled in; BridgeConfigInput describes each field. */
export type BridgeConfig = z.output<typeof configSchema>;

/** Sections of named fields; any other field of the schema is one value. */
export const sections = {
  network: networkSchema,
  processing: processingSchema,
  sessions: sessionsSchema,
  outlook: outlookSchema,
} as const;

/** Sections whose fields are named by the configuration: `networks.NAME` and `models.NAME`. */
export const namedSections = ['networks', 'models'] as const;

/** What of the other sections the journal takes at the start alone. */
export const atStart: readonly string[] = ['sessions.checkpointMs', 'sessions.stateMaxBytes'];
