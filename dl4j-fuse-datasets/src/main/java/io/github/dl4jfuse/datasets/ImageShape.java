package io.github.dl4jfuse.datasets;

import java.io.Serializable;

/** The size of an image: colour channels, rows and columns. */
record ImageShape(int channels, int height, int width) implements Serializable {

    /** Returns the number of values of one image. */
    int length() {
        return channels * height * width;
    }

    @Override
    public String toString() {
        return channels + " x " + height + " x " + width;
    }
}
