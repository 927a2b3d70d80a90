/**
 * Image data sets as ordinary Deeplearning4j {@code DataSetIterator}s: {@link
 * io.github.dl4jfuse.examples.data.FashionMnist} and {@link io.github.dl4jfuse.examples.data.Cifar10} give {@link
 * io.github.dl4jfuse.examples.data.ImageData}, which gives the iterators.
 */
package io.github.dl4jfuse.examples.data;
