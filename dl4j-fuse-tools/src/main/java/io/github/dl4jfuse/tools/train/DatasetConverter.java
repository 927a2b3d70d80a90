package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.tools.train.TrainCommand.Dataset;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code fashion-mnist} or {@code cifar10}. */
final class DatasetConverter implements ITypeConverter<Dataset> {

    @Override
    public Dataset convert(String text) {
        for (Dataset dataset : Dataset.values()) {
            if (dataset.toString().equalsIgnoreCase(text)) {
                return dataset;
            }
        }
        throw new TypeConversionException("'" + text + "' is neither fashion-mnist nor cifar10");
    }
}
