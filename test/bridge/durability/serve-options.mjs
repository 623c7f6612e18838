// `dtesn bridge` with options that have no flag: node serve-options.mjs <JSON of BridgeOptions>.
import { serve } from '../../../dist/bridge/index.js';

process.exit(await serve(JSON.parse(process.argv[2])));
