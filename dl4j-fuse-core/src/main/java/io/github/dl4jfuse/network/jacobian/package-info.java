/**
 * The outputs of a network on a batch and their Jacobian. Public are {@code NetworkOutputs} and {@code RankCheck} (Chen, <i>Global L2
 * minimization at uniform exponential rate via geometrically adapted gradient descent in deep learning</i>, 2023); everything else
 * is <b>internal</b> and may change in any version.
 */
package io.github.dl4jfuse.network.jacobian;
