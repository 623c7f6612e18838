/** JSON lines to stderr that never stop the event loop. */

export { errorFacts } from './error-facts.js';
export { LogWriter, type LogWriterOptions } from './log-writer.js';
export { type LogFields, type Logger, type LogLevel, logLevels, silentLogger } from './logger.js';
