/**
 * What all minimisers share: the function, how a minimisation ended, and smoothness measured on the way.
 */
package io.github.dl4jfuse.optim;
