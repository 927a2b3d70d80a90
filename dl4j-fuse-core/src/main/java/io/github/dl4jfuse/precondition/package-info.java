/**
 * The metric of a layer's inputs: the input factor of K-FAC (Martens, Grosse 2015) in low rank.
 */
package io.github.dl4jfuse.precondition;
