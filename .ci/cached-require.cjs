// Put in front of the CLI's entry by the build: bundles beside it are compiled from V8's code cache (`<name>.cache`, made by
// the build), which saves parsing them at every start. A cache this node does not accept (another version, other flags) is
// passed over. A bundle is loaded once, so that all share one set of error classes.
var require = ((load) => {
  const { readFileSync } = load('node:fs');
  const { Script } = load('node:vm');
  const loaded = new Map();
  const loadBundle = (request) => {
    if (!request.startsWith('./')) return load(request);
    const known = loaded.get(request);
    if (known !== undefined) return known.exports;
    const filename = __dirname + request.slice(1);
    let cachedData;
    try {
      cachedData = readFileSync(filename.slice(0, -3) + 'cache');
    } catch {
      // Built without caches: compiled as it is.
    }
    const script = new Script(`(function(exports,require,module,__filename,__dirname){${readFileSync(filename, 'utf8')}\n})`, { filename, cachedData });
    const module = { exports: {} };
    loaded.set(request, module);
    script.runInThisContext()(module.exports, loadBundle, module, filename, __dirname);
    return module.exports;
  };
  return loadBundle;
})(require);
