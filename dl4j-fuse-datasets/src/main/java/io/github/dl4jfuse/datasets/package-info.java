/**
 * Image data sets as ordinary Deeplearning4j {@code DataSetIterator}s: {@link
 * io.github.dl4jfuse.datasets.FashionMnist} and {@link io.github.dl4jfuse.datasets.Cifar10} give {@link
 * io.github.dl4jfuse.datasets.ImageData}, which gives the iterators.
 */
package io.github.dl4jfuse.datasets;
