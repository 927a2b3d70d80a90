/**
 * Updaters for DL4J's configurations: {@code Preconditioned} (Adam in the metric of the layers' inputs), {@code FusePv} and {@code Fuse}
 * (Jiang et al. 2025), {@code Lfso} (Berahas, Roberts, Roosta 2024); when to switch; and the state that is saved with a model. {@code
 * FuseUpdater}, {@code LfsoUpdater}, {@code PreconditionedUpdater} and {@code CoordinatedUpdater} are <b>internal</b>: DL4J makes them.
 */
package io.github.dl4jfuse.updater;
