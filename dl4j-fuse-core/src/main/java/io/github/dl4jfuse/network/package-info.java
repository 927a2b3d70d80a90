/**
 * What knows DL4J's networks. Public is {@code NetworkObjective}, the loss of a network on data as an objective for solvers; everything
 * else is <b>internal</b> and may change in any version.
 */
package io.github.dl4jfuse.network;
