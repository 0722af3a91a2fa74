// Which ref tracks what a branch follows ('@{upstream}') and what a push of it would update ('@{push}'), by configuration alone.
//
// Nothing is contacted and nothing needs to exist. Specified by branch.<name>.*, remote.<name>.fetch and push.default in git-config(1).
import { NotFoundError } from '../../pack/errors.js';
import type { Repository } from '../repository.js';

const branchName = (branch: string): string => branch.replace(/^refs\/heads\//, '');

/** The local ref that tracks `remoteRef` of a remote, by its fetch refspecs. */
function trackingRef(repository: Repository, remote: string, remoteRef: string): string | undefined {
  return mapRef(repository.config.getAll(`remote.${remote}.fetch`), remoteRef);
}

/** The ref over there that a push of `branch` (a full ref name) updates, when the remote's push refspecs say so. */
export function configuredPushRef(repository: Repository, branch: string): string | undefined {
  const remote = pushRemote(repository, branch);
  return remote === undefined ? undefined : mapRef(repository.config.getAll(`remote.${remote}.push`), branch);
}

/** The other side of the first refspec whose left side fits; undefined when none does. */
export function mapRef(specs: readonly string[], remoteRef: string): string | undefined {
  for (const spec of specs) {
    const [from, to] = spec.replace(/^\+/, '').split(':');
    if (from === undefined || to === undefined || from.startsWith('^')) continue;
    const star = from.indexOf('*');
    if (star < 0) {
      if (from === remoteRef) return to;
      continue;
    }
    const [before, after] = [from.slice(0, star), from.slice(star + 1)];
    if (remoteRef.length < before.length + after.length || !remoteRef.startsWith(before) || !remoteRef.endsWith(after)) continue;
    return to.replace('*', () => remoteRef.slice(before.length, remoteRef.length - after.length));
  }
  return undefined;
}

/** The remote a branch follows and its ref there; undefined when not configured. */
export function configuredUpstream(repository: Repository, branch: string): { remote: string; merge: string } | undefined {
  const name = branchName(branch);
  const remote = repository.config.get(`branch.${name}.remote`);
  const merge = repository.config.get(`branch.${name}.merge`);
  return remote === undefined || merge === undefined ? undefined : { remote, merge };
}

/** The ref `branch` (a full ref name) follows; NotFoundError when none is configured. */
export function findUpstream(repository: Repository, branch: string): string {
  const upstream = configuredUpstream(repository, branch);
  if (upstream === undefined) {
    throw new NotFoundError(`no upstream configured for branch '${branchName(branch)}'`, { code: 'no-upstream' });
  }
  const ref = upstream.remote === '.' ? upstream.merge : trackingRef(repository, upstream.remote, upstream.merge);
  if (ref === undefined) {
    throw new NotFoundError(`upstream branch '${upstream.merge}' is not stored as a remote-tracking branch`, { code: 'no-upstream' });
  }
  return ref;
}

/** The remote a push of `branch` (a full ref name) goes to; undefined when none is configured. */
export function pushRemote(repository: Repository, branch: string): string | undefined {
  const { config } = repository;
  const name = branchName(branch);
  return config.get(`branch.${name}.pushremote`) ?? config.get('remote.pushdefault') ?? config.get(`branch.${name}.remote`);
}

/** The ref that tracks what a push of `branch` would update; NotFoundError when push.default leads nowhere. */
export function findPushTarget(repository: Repository, branch: string): string {
  const { config } = repository;
  const name = branchName(branch);
  const followed = config.get(`branch.${name}.remote`) ?? 'origin';
  const remote = pushRemote(repository, branch) ?? followed;
  const missing = (why: string): NotFoundError => new NotFoundError(`branch '${name}' has no push destination: ${why}`, { code: 'no-upstream' });
  const tracked = (): string => {
    const ref = trackingRef(repository, remote, `refs/heads/${name}`);
    if (ref === undefined) throw missing(`remote '${remote}' does not track it`);
    return ref;
  };
  switch (config.get('push.default') ?? 'simple') {
    case 'nothing': throw missing('push.default is nothing');
    case 'upstream': case 'tracking': return findUpstream(repository, branch);
    case 'matching': case 'current': return tracked();
    default: {
      if (remote !== followed) return tracked();
      const upstream = findUpstream(repository, branch);
      if (upstream !== tracked()) throw missing('its name differs from its upstream');
      return upstream;
    }
  }
}
